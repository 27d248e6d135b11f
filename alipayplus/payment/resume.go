package payment

import "time"

// Resume is when [Service.Run] looks again at a payment whose debit, void or
// credit is not done.
type Resume struct {
	At    time.Time `json:"at,omitzero"`
	Tries int       `json:"tries,omitzero"` // so far
}

// NextTime returns when [Service.Run] has to look at the payment next: when
// something that is due is tried again, else the expiry of an open or verifying
// payment. The zero time means never. [Records] keep it in a column with an
// index.
func (r Record) NextTime() time.Time {
	if len(r.Due()) > 0 || r.Missed {
		if r.Resume.At.IsZero() {
			return time.Unix(0, 0) // at once
		}
		return r.Resume.At
	}
	if r.State == StateOpen || r.State == StateVerifying {
		if expiry, _ := r.ExpiryTime.Time(); !expiry.IsZero() {
			return expiry
		}
		return time.Unix(0, 0) // at once: it expired in the year 1
	}
	return time.Time{}
}
