"""The audit trail and notices, written in the transaction of the change, and the words that show them."""
