"""What every service process shares: settings, logging, probes, the frame loop."""
