"""Stand-ins for systems outside, speaking their real protocols on a socket."""
