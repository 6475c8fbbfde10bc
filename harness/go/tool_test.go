package veschub_test

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"testing"
	"time"

	"veschub"
)

const bmsGetValues = 96

// A client as small as one can be: what stands here in place of yours.
type tool struct {
	net.Conn
	frames *bufio.Reader
}

// Connects and sends the login line.
func connect(t *testing.T, hub *veschub.Hub, device *veschub.Device) *tool {
	t.Helper()
	conn, err := net.DialTimeout("tcp", hub.Addr(), 10*time.Second)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	must(t, conn.SetDeadline(time.Now().Add(10*time.Second)))
	_, err = fmt.Fprintf(conn, "VESCTOOL:%s:%s\n", device.ID, device.Password)
	must(t, err)
	return &tool{conn, bufio.NewReader(conn)}
}

// The voltages of the cells in the next reply, in millivolts.
func (c *tool) cells(t *testing.T) (millivolts []int) {
	t.Helper()
	payload, err := c.frame()
	must(t, err)
	for cell := 0; cell < int(payload[25]); cell++ {
		millivolts = append(millivolts, int(binary.BigEndian.Uint16(payload[26+2*cell:])))
	}
	return millivolts
}

func (c *tool) poll(t *testing.T) []int {
	t.Helper()
	c.ask(t, bmsGetValues)
	return c.cells(t)
}

func (c *tool) ask(t *testing.T, payload ...byte) {
	t.Helper()
	frame := append([]byte{2, byte(len(payload))}, payload...)
	frame = binary.BigEndian.AppendUint16(frame, checksum(payload))
	_, err := c.Write(append(frame, 3))
	must(t, err)
}

// The payload of the next frame.
func (c *tool) frame() ([]byte, error) {
	start := make([]byte, 2)
	if _, err := io.ReadFull(c.frames, start); err != nil {
		return nil, err
	}
	rest := make([]byte, int(start[1])+3)
	_, err := io.ReadFull(c.frames, rest)
	return rest[:start[1]], err
}

// CRC-16/XMODEM.
func checksum(data []byte) (crc uint16) {
	for _, octet := range data {
		crc ^= uint16(octet) << 8
		for bit := 0; bit < 8; bit++ {
			if crc&0x8000 != 0 {
				crc = crc<<1 ^ 0x1021
			} else {
				crc <<= 1
			}
		}
	}
	return crc
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
