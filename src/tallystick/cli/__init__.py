"""The command `tallystick`. Modules here import the product inside functions only, so that `--help` is instant."""
