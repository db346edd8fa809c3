// Show a threshold: the pixels that have entered, the Betti numbers, and brightly the points
// that are alive.  Everything is looked up by the stop of the slider.  Or show the regions of all
// points, until the slider moves.
const time = threshold.categories.indexOf(threshold.value)
if (view && cb_obj == threshold) view.active = 1
const sweeping = !view || view.active == 1
for (const mapper of entered) mapper.low = sweeping ? time + 0.5 : 0
for (const [box, sides] of boxes)
  box.setv({visible: sweeping, ...Object.fromEntries(sides.map((side) => [side, places[time]]))})
for (const drawn of alive) drawn.visible = sweeping
if (regions) regions.setv(sweeping ? {fill_alpha: 0, line_alpha: 0} : at_rest)
betti.text = betti_texts[time]

const {always, born, dies} = points.data
const rows = Array.from(born.keys()).filter((row) =>
  !sweeping || always[row] || (born[row] <= time && time < dies[row]))
bright.data = Object.fromEntries(
  Object.keys(bright.data).map((name) => [name, rows.map((row) => points.data[name][row])]))
