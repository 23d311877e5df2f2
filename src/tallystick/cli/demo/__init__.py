"""`tallystick demo`: a month of a made-up company, driven through the public HTTP API only, checked and shown."""
