"""`tallystick doctor`: what is wrong with an installation, in sentences, and how to mend it. It changes nothing."""
