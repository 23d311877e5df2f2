"""The public API, version 1: one file a resource. Wire names live here and in the rooms' views, nowhere below."""
