"""How requests leave and come back: rate, queue, connections, proxies, errors of the network. Knows no endpoints."""
