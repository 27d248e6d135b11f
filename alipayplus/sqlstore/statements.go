package sqlstore

// The statements, with words that each dialect replaces by its own:
//
//	@now            the database's clock
//	@later( … @ms)  as many milliseconds after it; @earlier: before it
//	@lock, @skip    lock the rows; pass over rows that are locked
//	@in( … @)       is one of what a SELECT lists, looked up by index
var templates = statements{
	findPayment: `SELECT version, format, record FROM alipayplus_payment WHERE payment_request_id = $1`,
	lockPayment: `SELECT version, format, record FROM alipayplus_payment WHERE payment_request_id = $1 @lock`,
	// ON CONFLICT names no column: of two transactions that insert one payment
	// with one paymentId, the later one may meet either of the two first.
	insertPayment: `INSERT INTO alipayplus_payment
			(payment_request_id, payment_id, customer_id, state, currency, minor_units, paid_at, next_at, updated_at, version, format, record)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, @now, $9, $10, $11) ON CONFLICT DO NOTHING`,
	updatePayment: `UPDATE alipayplus_payment
		SET payment_id = $2, customer_id = $3, state = $4, currency = $5, minor_units = $6, paid_at = $7, next_at = $8,
			updated_at = @now, version = $9, format = $10, record = $11
		WHERE payment_request_id = $1 AND version = $12`,
	// A row of this payment changes to what it was and counts, one of another
	// payment does not.
	insertRefund: `INSERT INTO alipayplus_refund (refund_request_id, payment_request_id) VALUES ($1, $2)
		ON CONFLICT (refund_request_id) DO UPDATE SET payment_request_id = excluded.payment_request_id
		WHERE alipayplus_refund.payment_request_id = excluded.payment_request_id`,

	leasePayments: `WITH due AS MATERIALIZED (
			SELECT payment_request_id, next_at FROM alipayplus_payment
			WHERE next_at <= @now AND format <= $3 ORDER BY next_at LIMIT $1 @skip)
		UPDATE alipayplus_payment p SET next_at = @later($2@ms)
		FROM due WHERE p.payment_request_id @in(SELECT payment_request_id FROM due@) AND p.payment_request_id = due.payment_request_id
		RETURNING p.payment_request_id, due.next_at`,
	duePayments: `SELECT payment_request_id FROM alipayplus_payment
		WHERE next_at <= @now AND format <= $2 ORDER BY next_at LIMIT $1`,
	leasePayment: `UPDATE alipayplus_payment SET next_at = @later($2@ms)
		WHERE payment_request_id = $1 AND next_at <= @now`,

	put: `INSERT INTO alipayplus_outbox (operation, message_key, message_group, message, put_at, due_at)
		VALUES ($1, $2, $3, $4, @now, @now) ON CONFLICT (operation, message_key) DO NOTHING`,
	withdraw: `UPDATE alipayplus_outbox SET state = 2, message = NULL, ended_at = @now
		WHERE operation = $1 AND message_key = $2 AND state IN (0, 3)`,
	// A message of a group must wait for an earlier one that waits, and for any
	// lease of the group that runs, also of a message that is not waiting any
	// more.
	lease: `WITH due AS MATERIALIZED (
			SELECT o.seq FROM alipayplus_outbox o
			WHERE o.state = 0 AND o.due_at <= @now AND (o.message_group = '' OR NOT EXISTS (
				SELECT 1 FROM alipayplus_outbox b
				WHERE b.message_group = o.message_group AND b.message_group <> ''
					AND (b.state = 0 AND b.seq < o.seq OR b.lease <> '' AND b.due_at > @now)))
			ORDER BY o.due_at, o.seq LIMIT $1 @skip)
		UPDATE alipayplus_outbox SET tries = tries + 1, lease = $2, due_at = @later($3@ms)
		WHERE seq @in(SELECT seq FROM due@)
		RETURNING seq, operation, message_key, message_group, message, tries, put_at, code`,
	acknowledge: `UPDATE alipayplus_outbox SET code = CASE WHEN state = 1 THEN code ELSE $4 END,
			ended_at = CASE WHEN state = 1 THEN ended_at ELSE @now END, state = 1, message = NULL,
			lease = CASE WHEN lease = $3 THEN '' ELSE lease END
		WHERE operation = $1 AND message_key = $2 AND (state <> 1 OR lease = $3)`,
	bury: `UPDATE alipayplus_outbox SET code = CASE WHEN state = 0 THEN $4 ELSE code END,
			state = CASE WHEN state = 0 THEN 3 ELSE state END, lease = ''
		WHERE operation = $1 AND message_key = $2 AND lease = $3`,
	again: `UPDATE alipayplus_outbox SET code = CASE WHEN state = 0 THEN $4 ELSE code END,
			due_at = CASE WHEN state = 0 THEN @later($5@ms) ELSE due_at END, lease = ''
		WHERE operation = $1 AND message_key = $2 AND lease = $3`,
	deadLetters: `SELECT seq, operation, message_key, message_group, message, tries, put_at, code
		FROM alipayplus_outbox WHERE state = 3 ORDER BY seq LIMIT $1`,
	waiting: `SELECT seq, operation, message_key, message_group, message, tries, put_at, code, due_at
		FROM alipayplus_outbox WHERE state = 0 ORDER BY due_at, seq LIMIT $1`,
	backlog: `SELECT 0, count(*), min(put_at) FROM alipayplus_outbox WHERE state = 0
		UNION ALL SELECT 3, count(*), min(put_at) FROM alipayplus_outbox WHERE state = 3`,
	requeue: `UPDATE alipayplus_outbox SET state = 0, tries = 0, due_at = @now
		WHERE operation = $1 AND message_key = $2 AND state = 3`,

	begin: `INSERT INTO alipayplus_idempotency (operation, idempotency_key, fingerprint, owner, lease_until, began_at)
		VALUES ($1, $2, $3, $4, @later($5@ms), @now)
		ON CONFLICT (operation, idempotency_key) DO UPDATE
			SET owner = excluded.owner, lease_until = excluded.lease_until, began_at = excluded.began_at, runs = alipayplus_idempotency.runs + 1
			WHERE alipayplus_idempotency.fingerprint = excluded.fingerprint AND NOT alipayplus_idempotency.answered
				AND (alipayplus_idempotency.owner = '' OR alipayplus_idempotency.lease_until <= @now)
		RETURNING runs`,
	standing: `SELECT fingerprint, answered, answer FROM alipayplus_idempotency WHERE operation = $1 AND idempotency_key = $2`,
	finish: `UPDATE alipayplus_idempotency SET owner = '', answered = $4, answer = $5
		WHERE operation = $1 AND idempotency_key = $2 AND owner = $3 AND owner <> '' AND NOT answered`,

	purgeOutbox: `DELETE FROM alipayplus_outbox WHERE seq @in(
		SELECT seq FROM alipayplus_outbox WHERE ended_at < @earlier($2@ms) ORDER BY ended_at LIMIT $1 @skip@)`,
	purgeRefunds: `DELETE FROM alipayplus_refund WHERE refund_request_id @in(
		SELECT refund_request_id FROM alipayplus_refund WHERE payment_request_id @in(
			SELECT payment_request_id FROM alipayplus_payment
			WHERE next_at IS NULL AND updated_at < @earlier($2@ms) ORDER BY updated_at LIMIT $1 @skip@) LIMIT $1@)`,
	// A payment whose row was locked a moment ago may still have its refunds.
	purgePayments: `DELETE FROM alipayplus_payment WHERE payment_request_id @in(
			SELECT payment_request_id FROM alipayplus_payment
			WHERE next_at IS NULL AND updated_at < @earlier($2@ms) ORDER BY updated_at LIMIT $1 @skip@)
		AND NOT EXISTS (SELECT 1 FROM alipayplus_refund r WHERE r.payment_request_id = alipayplus_payment.payment_request_id)`,
	purgeIdempotency: `DELETE FROM alipayplus_idempotency WHERE id @in(
		SELECT id FROM alipayplus_idempotency WHERE began_at < @earlier($2@ms) ORDER BY began_at LIMIT $1 @skip@)`,
}

// statements are those of one dialect. Those of the last line only MySQL has.
type statements struct {
	findPayment, lockPayment, insertPayment, updatePayment, insertRefund          string
	leasePayments, duePayments, leasePayment                                      string
	put, withdraw, lease, acknowledge, bury, again, deadLetters, backlog, requeue string
	waiting                                                                       string
	begin, standing, finish                                                       string
	purgeOutbox, purgeRefunds, purgePayments, purgeIdempotency                    string
	ownRefund, dueMessages, leased, beginAgain, oldPayments                       string
}

// translated are the statements of p.
func (p *parts) translated() statements {
	s := templates
	if p.statements != nil {
		s = p.statements()
	}
	for _, text := range []*string{
		&s.findPayment, &s.lockPayment, &s.insertPayment, &s.updatePayment, &s.insertRefund,
		&s.leasePayments, &s.duePayments, &s.leasePayment,
		&s.put, &s.withdraw, &s.lease, &s.acknowledge, &s.bury, &s.again, &s.deadLetters, &s.backlog, &s.requeue,
		&s.waiting,
		&s.begin, &s.standing, &s.finish,
		&s.purgeOutbox, &s.purgeRefunds, &s.purgePayments, &s.purgeIdempotency,
		&s.ownRefund, &s.dueMessages, &s.leased, &s.beginAgain, &s.oldPayments,
	} {
		*text = p.words.Replace(*text)
	}
	return s
}
