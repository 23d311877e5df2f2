"""Coupons and the customers they are applied to. What they take off an invoice is arithmetic: core/coupons.py."""
