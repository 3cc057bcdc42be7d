"""The shop's pages: products, checkout, confirmation, guest lookup."""
