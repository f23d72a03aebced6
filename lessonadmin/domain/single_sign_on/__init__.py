"""Single sign-on: whose account a person of the provider has, and what their sign-in there opens here."""
