// Bokeh highlights what the last of two renderers has found; highlight what either has.
const found = cb_obj.renderers.flatMap((marks) =>
  marks.get_selection_manager().get_or_create_inspector(marks).indices)
both.indices = [...new Set(found)]
points.setv({inspected: both}, {silent: true})
points.inspect.emit([null, {geometry: cb_data.geometry}])
