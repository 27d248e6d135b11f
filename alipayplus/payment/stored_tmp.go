package payment

import "encoding/json"

func (r Record) MarshalBinary() ([]byte, error) { return json.Marshal(r) }

func (r *Record) UnmarshalBinary(data []byte) error { return json.Unmarshal(data, r) }
