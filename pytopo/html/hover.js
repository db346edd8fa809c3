// Bokeh lights up what the last of two renderers has found; light up what either has.
const found = cb_obj.renderers.flatMap((marks) =>
  marks.get_selection_manager().get_or_create_inspector(marks).indices)
both.indices = [...new Set(found)]
dots.setv({inspected: both}, {silent: true})
dots.inspect.emit([null, {geometry: cb_data.geometry}])
