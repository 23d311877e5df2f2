"""The billing pipeline on sets: due, load, meter, rate, compose, write (design §4). One subscription is one set."""
