// Choose the feature of the slider; 0 chooses none.
const row = feature.value - 1
if (row >= 0) points.selected.indices = [row]
else if (points.selected.indices.length == 1) points.selected.indices = []
