"""Floor 4: the HTTP doors. They parse, authorize, call and render; rules live in the rooms."""
