"""Mails that bring documents to customers (dunning.md §7): which were asked for, and what became of each."""
