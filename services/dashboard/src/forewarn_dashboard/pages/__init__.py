"""A folder for each page: address, view model, drawing, dialogs, callbacks and texts together."""
