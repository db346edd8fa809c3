// Choose the feature of the slider; 0 chooses none.
const row = feature.value - 1
if (row >= 0) dots.selected.indices = [row]
else if (dots.selected.indices.length == 1) dots.selected.indices = []
