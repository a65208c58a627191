"""The RADIUS door: VPN gateways, access points and switches ask here."""
