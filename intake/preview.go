package intake

import (
	"time"

	"smsc/message"
	"smsc/routing"
)

// Preview returns the plan that m would have if it were accepted now; m stays
// as it is. Rules, which may send it elsewhere, are not asked.
func (in *Intake) Preview(m *message.Message) (routing.Plan, error) {
	now, probe := time.Now(), *m
	v := &visit{in: in, dir: in.directory(), now: now, facts: in.facts(now)}
	if err := v.numbers(&probe); err != nil {
		return routing.Plan{}, err
	}
	return v.plan(&probe), nil
}
