"""Pure computations over frames and sums: no clock, no files, no sockets."""
