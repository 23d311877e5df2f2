"""Floor 2: the rooms. Each writes its own tables and knows no other room."""
