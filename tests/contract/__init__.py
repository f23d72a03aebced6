"""The outside contract. One unit of a run: its files share the processes of the whole product, so one worker runs them."""
