"""What differs by country: names, holidays, contracts, time off, ways of working. Data, with one shape for all."""
