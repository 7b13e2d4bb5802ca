package diagnose

import "testing"

// BenchmarkRead reads the fixtures in turn, as `explain -` and the fleet's controller do.
//
//	go test ./diagnose -run - -bench Read -cpu 1
func BenchmarkRead(b *testing.B) {
	var texts []Text
	size := 0
	for _, s := range shapes {
		texts = append(texts, Text{Message: s.text})
		size += len(s.text)
	}
	compiled()
	b.SetBytes(int64(size / len(texts)))
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		Read(texts[i%len(texts)])
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "messages/s")
}
