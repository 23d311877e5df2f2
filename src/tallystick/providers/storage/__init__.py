"""Places where documents are kept."""
