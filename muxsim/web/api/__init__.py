"""Mux's REST API: one blueprint a resource."""
