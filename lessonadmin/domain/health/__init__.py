"""Is the pipeline healthy: alarms, the operations page, gauges, usage at Mux, and the doctor."""
