"""What benchmarks share: servers, rows, requests, and other products to compare with. None is a benchmark."""
