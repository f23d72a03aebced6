"""A script that asks a real Mux what its documents leave open (`flask mux-probe`), and what it has to call for that."""
