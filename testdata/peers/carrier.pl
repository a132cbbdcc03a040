#!/usr/bin/perl
# A carrier's message centre on Net::SMPP: it accepts any bind, answers every
# submit_sm, sends a receipt, and reports everything it sees as one JSON object
# a line. A destination 4477 and five digits is answered with these as its
# command_status; one of 15551 and digits is reported with the word whose number
# is the last of them. The only argument is a JSON object with options:
#   port      where to listen
#   deliver   steps of a script: requests of ours, one after the other, which
#             begin when somebody submits to 15550000000
use strict;
use warnings;
use FindBin;
use lib $FindBin::Bin;
use JSON::PP;
use Net::SMPP;
use Steps;

$SIG{CHLD} = 'IGNORE';
my $options = decode_json($ARGV[0]);
my @words = qw(DELIVRD UNDELIV REJECTD EXPIRED DELETED);

# By itself the library waits 5 seconds for a client, and no longer.
my $server = Net::SMPP->new_listen('127.0.0.1', port => $options->{port}, timeout => 3600) or die "cannot listen: $!";
say_event(event => 'listening', port => 0 + $options->{port});

while (my $s = $server->accept) {
	next if fork;
	serve($s);
	exit;
}

my ($step, $asked); # of the script: how many are answered, the number of the open one

sub serve {
	my ($s) = @_;
	my $next = 1000 * $$;
	while (my $pdu = $s->read_pdu()) {
		my @seq = (seq => $pdu->{seq});
		if ($pdu->{cmd} == 9) {
			say_event(event => 'bound');
			$s->bind_transceiver_resp(system_id => 'perl', sc_interface_version => pack('C', 0x34), @seq);
		} elsif ($pdu->{cmd} == 0x15) {
			$s->enquire_link_resp(@seq);
		} elsif ($pdu->{cmd} == 6) {
			$s->unbind_resp(@seq);
			return;
		} elsif ($pdu->{cmd} == 4) {
			submit($s, $pdu, ++$next);
		} elsif ($pdu->{cmd} & 0x80000000) {
			answered($s, $pdu);
		} else {
			say_event(event => 'unknown', index => 0 + $pdu->{cmd});
			$s->generic_nack(status => 3, @seq);
		}
	}
}

# answered goes on with the script; every other answer is that to a receipt.
sub answered {
	my ($s, $pdu) = @_;
	if (!defined $asked || $pdu->{seq} != $asked) {
		say_event(event => 'receipt', status => 0 + $pdu->{status});
		return;
	}
	say_event(event => 'answer', index => $step++, status => 0 + $pdu->{status});
	deliver($s);
}

# deliver sends the next step of the script.
sub deliver {
	my ($s) = @_;
	if ($step < @{$options->{deliver}}) {
		$asked = ask($s, $options->{deliver}[$step], '447700900123');
	} else {
		$asked = undef;
		say_event(event => 'finished');
	}
}

sub submit {
	my ($s, $pdu, $id) = @_;
	my $to = $pdu->{destination_addr};
	my $status = status('4477', $to);
	say_event(event => 'submit', id => "$id", status => $status, content($pdu));
	$s->submit_sm_resp(message_id => $status ? '' : "$id", status => $status, seq => $pdu->{seq});
	return if $status;
	my @t = gmtime;
	my $now = sprintf '%02d%02d%02d%02d%02d', $t[5] % 100, $t[4] + 1, $t[3], $t[2], $t[1];
	my $word = $words[$to =~ /^15551\d*(\d)$/ ? $1 : 0];
	my $err = $word eq 'DELIVRD' ? '000' : '027';
	$s->deliver_sm(async => 1, source_addr_ton => 1, source_addr_npi => 1, source_addr => $to,
		dest_addr_ton => 1, dest_addr_npi => 1, destination_addr => $pdu->{source_addr}, esm_class => 4,
		short_message => "id:$id sub:001 dlvrd:001 submit date:$now done date:$now stat:$word err:$err text:");
	if ($options->{deliver} && $to eq '15550000000') {
		$step = 0;
		deliver($s);
	}
}
