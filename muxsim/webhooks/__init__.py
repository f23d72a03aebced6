"""Events: their data, their order, and the attempts to deliver them."""
