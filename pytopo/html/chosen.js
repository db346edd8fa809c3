// Say what is chosen, and let the slider of features and the section of a volume follow.
const rows = points.selected.indices
const texts = rows.slice(0, 5).map((row) => points.data.text[row])
if (rows.length > 5) texts.push(`and ${rows.length - 5} more`)
chosen.text = rows.length ? texts.join("<br>") : hint
if (rows.length != 1) feature.value = 0
else {
  feature.value = rows[0] + 1
  const planes = section ? [points.data.birth_plane[rows[0]], points.data.death_plane[rows[0]]] : []
  if (planes.some((plane) => plane >= 0) && !planes.includes(section.value))
    section.value = Math.max(planes[0] >= 0 ? planes[0] : planes[1], 0)
}
