"""How the installation is, for those who watch many: metrics in the format of Prometheus."""
