// Bokeh highlights what the last of several renderers has found; highlight what any has.  Near a
// mark the regions around it are not meant.
const found = (renderers) => [...new Set(renderers.flatMap((drawn) =>
  drawn.get_selection_manager().get_or_create_inspector(drawn).indices))]
const near = found(marks)
both.indices = near.length ? near : found(regions)
points.setv({inspected: both}, {silent: true})
points.inspect.emit([null, {geometry: cb_data.geometry}])
