package intake

import (
	"errors"
	"time"
)

// Config holds the settings of the door.
type Config struct {
	// Validity is how long a message lives when its sender says nothing, and
	// the longest it may ask for.
	DefaultValidity, MaxValidity time.Duration
	// Backlog is how many messages without an end the house keeps; 0: any.
	Backlog int
	// Charged is the last word where neither route nor account has one.
	Charged bool
}

// DefaultConfig returns what holds where smsc.yaml is silent.
func DefaultConfig() Config {
	return Config{DefaultValidity: 24 * time.Hour, MaxValidity: 240 * time.Hour}
}

// Validate returns every fault.
func (c Config) Validate() []error {
	var faults []error
	if c.DefaultValidity <= 0 {
		faults = append(faults, errors.New("validity.default: must be above 0"))
	}
	if c.MaxValidity < c.DefaultValidity {
		faults = append(faults, errors.New("validity.max: must not be below validity.default"))
	}
	if c.Backlog < 0 {
		faults = append(faults, errors.New("backlog: must be 0 or more"))
	}
	return faults
}
