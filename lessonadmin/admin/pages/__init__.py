"""Pages of the support panel that are not a list of rows, and the page of one lesson or course."""
