// Say what is chosen, and let the slider of features and the section of a volume follow.
const rows = dots.selected.indices
const told = rows.slice(0, 5).map((row) => dots.data.text[row])
if (rows.length > 5) told.push(`and ${rows.length - 5} more`)
chosen.text = rows.length ? told.join("<br>") : hint
if (rows.length != 1) feature.value = 0
else {
  feature.value = rows[0] + 1
  const planes = section ? [dots.data.birth_plane[rows[0]], dots.data.death_plane[rows[0]]] : []
  if (planes.some((plane) => plane >= 0) && !planes.includes(section.value))
    section.value = Math.max(planes[0] >= 0 ? planes[0] : planes[1], 0)
}
