"""The product in a browser. The files of a folder share the processes of the whole product, so one worker runs them; `support` and `uploads`
are folders of their own, so that other workers may run them at the same time."""
