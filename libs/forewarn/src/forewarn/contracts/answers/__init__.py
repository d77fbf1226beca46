"""Bodies of the API's requests and answers: the API writes them, the dashboard reads them."""
