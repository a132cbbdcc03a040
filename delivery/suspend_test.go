package delivery_test

import (
	"sync/atomic"
	"testing"
	"time"

	"smsc/delivery"
	"smsc/message"
)

func TestASuspendedAccountsTrafficWaits(t *testing.T) {
	bubble(t, "what waits stays, receipts go home, and all goes on afterwards", func(t *testing.T) {
		var suspended atomic.Bool
		out, home := &courier{}, always(takes)
		l := lane("out", out)
		l.Window = 1
		h := open(t, []string{"out"}, l, lane("home", home))
		h.e.Suspend(func(account string) bool { return account == "operator" && suspended.Load() })
		h.run()
		first := h.accept(wants(message.WantFinal))
		second := h.accept() // in the lane's memory
		h.wait(time.Second)
		suspended.Store(true)
		third := h.accept()
		h.wait(time.Second)
		out.dones[0](takes)
		h.wait(time.Hour)
		if out.count() != 1 || home.count() != 1 {
			t.Errorf("%d tries, %d receipts", out.count(), home.count())
		}
		h.told(first, message.Done)
		for _, id := range []message.ID{second, third} {
			if r := h.stands(id, message.Waiting, message.CauseNone); r.State.WakeOn != delivery.AccountKey("operator") || r.State.Rounds != 0 {
				t.Errorf("%+v", r.State)
			}
		}
		out.does = func(_ int, _ message.Attempt, done func(message.Outcome)) { done(takes) }
		suspended.Store(false)
		h.e.Awake(bg, delivery.AccountKey("operator"))
		h.wait(time.Second)
		h.stands(second, message.Done, message.CauseNone)
		h.stands(third, message.Done, message.CauseNone)
	})
	bubble(t, "what is not valid any more expires meanwhile", func(t *testing.T) {
		h := open(t, []string{"out"}, lane("out", always(takes)))
		h.e.Suspend(func(string) bool { return true })
		h.run()
		id := h.accept(wants(message.WantFinal))
		h.wait(25 * time.Hour)
		h.stands(id, message.Expired, message.CauseNone)
		h.told(id, message.Expired)
	})
}
