"""What stands in for the world: venues on loopback, playing recordings and misbehaving on request."""
