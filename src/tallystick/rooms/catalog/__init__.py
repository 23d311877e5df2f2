"""The catalog: billable metrics, and the plans that price them. What a price amounts to is `core/rating`."""
