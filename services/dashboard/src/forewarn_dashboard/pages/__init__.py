"""A folder a page: address, view model, drawing, dialogs, callbacks and texts."""
