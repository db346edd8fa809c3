// Keep the points that are persistent enough, which are the first ones, and their regions and
// pixels in the section of a volume that is shown.
const depth = persistence.categories.indexOf(persistence.value)
const count = shown[depth]
hidden.text = hidden_texts[depth]
cut.y_intercept = intercepts[depth]

const data = Object.fromEntries(
  Object.entries(every.data).map(([name, column]) => [name, column.slice(0, count)]))
if (section) {
  here.indices = [section.value]
  for (const end of ["birth", "death"])
    data[`${end}_x`] = data[`${end}_x`].map((x, row) =>
      data[`${end}_plane`][row] == section.value ? x : NaN)
}
if (outlines) {
  const {rows, xs, ys} = outlines[section ? section.value : 0]
  data.region_xs = Array.from({length: count}, () => [])
  data.region_ys = Array.from({length: count}, () => [])
  rows.forEach((row, i) => {
    if (row < count) [data.region_xs[row], data.region_ys[row]] = [xs[i], ys[i]]
  })
}
points.selected.indices = points.selected.indices.filter((row) => row < count)
feature.end = Math.max(count, 1)
points.data = data
