"""Bulk actions: begun, run under leases, stopped, resumed, undone; every row of one has a result."""
