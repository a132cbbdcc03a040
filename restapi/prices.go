package restapi

import (
	"maps"

	"smsc/message"
	"smsc/tenant"
)

// PricesRow is what an account pays, as REST shows it. It is exported for the
// OpenAPI document, which leaves out what it cannot see.
type PricesRow struct {
	Payer     string                    `json:"payer"`
	Rates     map[string]message.Amount `json:"rates"`
	Overdraft message.Amount            `json:"overdraft"`
}

func pricesOf(a *tenant.Account) PricesRow {
	row := PricesRow{Payer: a.Payer, Rates: maps.Clone(a.Rates), Overdraft: a.Overdraft}
	if row.Rates == nil {
		row.Rates = map[string]message.Amount{}
	}
	return row
}

// pricedAlike tells whether two accounts pay the same, to the same.
func pricedAlike(a, b tenant.Account) bool {
	return a.Charged == b.Charged && a.Payer == b.Payer && a.Overdraft == b.Overdraft && maps.Equal(a.Rates, b.Rates)
}

// mayPrice keeps a tenant from deciding what he or those below pay: prices,
// who pays and how much may be owed are the operator's, and so is that nothing
// is.
func (c *call) mayPrice(old, next tenant.Account) error {
	if c.isOperator() || pricedAlike(old, next) {
		return nil
	}
	if old.Charged != next.Charged {
		if err := c.mayCharge(next.Charged); err != nil {
			return err
		}
		next.Charged = old.Charged
	}
	if !pricedAlike(old, next) {
		return refuse("forbidden", "only the operator decides about payer, rates and overdraft")
	}
	return nil
}
