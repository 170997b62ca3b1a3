"""What benches/compare is made of: processes, data, load, rows. Standard library only."""
