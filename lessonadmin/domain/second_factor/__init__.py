"""The way in: what a right password opens, the second factors, and how an account gets and loses them."""
